"""The paper's experiments and what goes beyond them: stages that measure, and one report of all they found."""
