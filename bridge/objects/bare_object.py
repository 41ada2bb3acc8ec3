"""The part of a result object that does not depend on what it holds, for the kinds that highdicom has no class for."""

from highdicom import SOPClass
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from bridge.objects.identity import UNSEALED, ObjectKind, ResultIdentity


def bare_object(source: Dataset, identity: ResultIdentity, kind: ObjectKind, sop_class: UID, modality: str) -> SOPClass:
    """An object of the source's patient and study, in a series of its own, that holds nothing yet.

    Args:
        source: the first of ``source.source_images``.
    """
    result = SOPClass(
        study_instance_uid=source.StudyInstanceUID,
        series_instance_uid=UNSEALED,
        series_number=identity.series_number_of(kind),
        sop_instance_uid=UNSEALED,
        sop_class_uid=sop_class,
        instance_number=1,
        modality=modality,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        manufacturer=identity.manufacturer,
        manufacturer_model_name=identity.model_name,
        software_versions=identity.software_version,
        device_serial_number=identity.device_serial_number,
        patient_id=source.PatientID,
        patient_name=source.PatientName,
        patient_birth_date=source.PatientBirthDate,
        patient_sex=source.PatientSex,
        accession_number=source.AccessionNumber,
        study_id=source.StudyID,
        study_date=source.StudyDate,
        study_time=source.StudyTime,
        referring_physician_name=source.ReferringPhysicianName,
        specific_character_set=source.SpecificCharacterSet,
    )
    result.copy_patient_and_study_information(source)
    return result
