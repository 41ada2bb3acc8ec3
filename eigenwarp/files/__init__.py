"""Files that other programs read: displacement fields."""

from eigenwarp.files.field_files import field_from_bytes, field_to_bytes, read_field, write_field
from eigenwarp.files.field_format import FieldFormat

__all__ = ["FieldFormat", "field_from_bytes", "field_to_bytes", "read_field", "write_field"]
