"""The PACS bridge: DICOM in and out, a client of the service. No code yet."""
