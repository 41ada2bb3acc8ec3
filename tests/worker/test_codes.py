"""A volume is encoded once for all jobs and workers, and what was made of it goes when it goes."""

from dataclasses import replace

import pytest
from torch import nn

from eigenwarp.errors import VolumeUnknownError
from eigenwarp.model.registration import RegistrationModel
from eigenwarp.schemas.requests import ProjectRequest, RegisterRequest
from tests.servers.processes import wait_until
from tests.tiny_bundle import blob
from tests.worker.deployment import Deployment
from tests.worker.meddling import MeddlingEvents
from worker.caches import ByteCache
from worker.runner import JobRunner
from worker.workplace import Workplace

VOLUMES = [blob(seed)[0] for seed in range(4)]


class Encodings:
    """Counts how often a model's encoder runs."""

    def __init__(self, model: RegistrationModel) -> None:
        self.count = 0
        encoder = model.network.encoder
        assert isinstance(encoder, nn.Module)
        encoder.register_forward_hook(self._note)

    def _note(self, *_: object) -> None:
        self.count += 1


def another_worker(deployment: Deployment) -> Deployment:
    return replace(deployment, place=Workplace.open(deployment.place.settings))


def register(deployment: Deployment, moving: str, fixed: str) -> bytes:
    job = deployment.run(RegisterRequest(moving=moving, fixed=fixed), [moving, fixed])
    assert job.state == "succeeded"
    return deployment.result(job, "field") + deployment.result(job, "warped_segmentation")


def test_one_volume_against_many_is_encoded_once(deployment: Deployment) -> None:
    encodings = Encodings(deployment.place.model(deployment.model))
    fixed, *others = (deployment.upload(volume) for volume in VOLUMES)
    for moving in others:
        register(deployment, moving, fixed)
    assert encodings.count == len(VOLUMES)


def test_another_worker_takes_the_codes_from_the_store_and_gets_the_same(deployment: Deployment) -> None:
    moving, fixed = (deployment.upload(volume) for volume in VOLUMES[:2])
    first = register(deployment, moving, fixed)
    other = another_worker(deployment)
    encodings = Encodings(other.place.model(deployment.model))
    assert register(other, moving, fixed) == first
    assert encodings.count == 0
    other.place.close()


def test_codes_are_kept_by_model_version_and_noted_with_their_volume(deployment: Deployment) -> None:
    moving, fixed = (deployment.upload(volume) for volume in VOLUMES[:2])
    register(deployment, moving, fixed)
    noted = [deployment.place.database.volumes.code_keys(volume) for volume in (moving, fixed)]
    assert [len(keys) for keys in noted] == [1, 1]
    assert sorted(key for keys in noted for key in keys) == sorted(deployment.keys("codes/"))
    assert all(key.startswith(f"codes/{deployment.model.version}/") for keys in noted for key in keys)


def test_a_damaged_code_is_computed_again_and_mended(deployment: Deployment) -> None:
    moving, fixed = (deployment.upload(volume) for volume in VOLUMES[:2])
    first = register(deployment, moving, fixed)
    sound = {key: deployment.place.objects.get(key) for key in deployment.keys("codes/")}
    for key, content in sound.items():
        deployment.place.objects.put(key, content[: len(content) // 2])
    other = another_worker(deployment)
    assert register(other, moving, fixed) == first
    assert {key: deployment.place.objects.get(key) for key in sound} == sound
    other.place.close()


def remembered(deployment: Deployment) -> int:
    memory = deployment.place.memory
    return memory.images.bytes + memory.segmentations.bytes + memory.codes.bytes


def test_an_erasure_empties_an_idle_workers_memory(deployment: Deployment) -> None:
    volume = deployment.upload(VOLUMES[0], "s-1")
    deployment.run(ProjectRequest(volume=volume, subject="s-1"), [volume], "s-1")
    assert remembered(deployment) > 0
    deployment.place.watch.start()
    deployment.place.database.subjects.erase("s-1")
    wait_until(lambda: remembered(deployment) == 0, "the memory is empty", 30)


def test_an_erased_volume_leaves_no_code(deployment: Deployment) -> None:
    volume = deployment.upload(VOLUMES[0])
    deployment.run(ProjectRequest(volume=volume), [volume])
    (code,) = deployment.keys("codes/")
    erased = deployment.place.database.volumes.delete(volume)
    assert code in [doomed.key for doomed in erased.doomed]


@pytest.mark.parametrize("stage", ["load", "encode"])
def test_what_is_erased_while_a_job_is_at_it_leaves_nothing(deployment: Deployment, stage: str) -> None:
    volume = deployment.upload(VOLUMES[0], "s-1")
    job_id = deployment.submit(ProjectRequest(volume=volume, subject="s-1"), [volume], "s-1")

    def erase(_: str) -> None:
        erased = deployment.place.database.subjects.erase("s-1")
        for doomed in erased.doomed:
            if doomed.is_prefix:
                deployment.place.objects.delete_prefix(doomed.key)
            else:
                deployment.place.objects.delete(doomed.key)

    redis_url = deployment.place.settings.redis_url.get_secret_value()
    place = replace(deployment.place, events=MeddlingEvents(redis_url, stage, erase))
    JobRunner(place).run(job_id, "here")
    assert deployment.keys("jobs/") == deployment.keys("codes/") == deployment.keys("volumes/") == []
    place.watch.look()
    assert remembered(deployment) == 0
    with pytest.raises(VolumeUnknownError):
        place.database.volumes.get(volume)


def test_memory_is_bounded_by_bytes_and_forgets_the_oldest_first() -> None:
    cache: ByteCache[str, str] = ByteCache(10)
    for key, size in (("a", 4), ("b", 4)):
        cache.put(key, key, size)
    assert cache.get("a") == "a"
    cache.put("c", "c", 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), cache.bytes) == ("a", None, "c", 8)
    cache.put("a", "A", 2)
    assert (cache.get("a"), cache.bytes) == ("A", 6)
    cache.put("huge", "huge", 11)
    assert (cache.get("huge"), cache.bytes) == (None, 6)
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)


def test_a_worker_without_memory_still_works(deployment: Deployment) -> None:
    settings = deployment.place.settings.model_copy(update={"worker_cache_bytes": 0})
    forgetful = replace(deployment, place=Workplace.open(settings))
    moving, fixed = (deployment.upload(volume) for volume in VOLUMES[:2])
    assert register(forgetful, moving, fixed) == register(deployment, moving, fixed)
    assert remembered(forgetful) == 0
    forgetful.place.close()
