"""The PACS bridge: series in, objects out, and nothing of a patient to the service but voxels and opaque ids."""
