"""DICOM series in: from instances as they were received to a volume, and arrays back onto the frames they came from."""
