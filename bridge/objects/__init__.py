"""What one job found, as DICOM objects beside the series that it came from.

``build.result_objects(finding, series, identity, kinds)`` makes all that a rule asks for, in the order in
which they refer to one another. Each object has a file of its own and one function of the same arguments:

=============================== ========================================================
``segmentation_object``         SEG, the labels
``measurement_report``          Comprehensive 3D SR (TID 1500), volumes and coefficients
``jacobian_map``                Parametric Map, the Jacobian determinant
``spatial_registration``        Deformable Spatial Registration, the field
``pdf_report``                  Encapsulated PDF, for a person to read
=============================== ========================================================
"""
