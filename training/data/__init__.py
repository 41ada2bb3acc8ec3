"""Where the subjects come from: folders on disk, the publishers' archive, or a synthetic cohort."""
