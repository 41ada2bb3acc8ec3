"""The command line: thin wrappers that read files, call what computes, and write results."""
