from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from eigenwarp.model.codes import CodeCache, EncodedVolume, content_key


class Encoder:
    """Counts what it encodes."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> EncodedVolume:
        self.calls += 1
        return EncodedVolume(torch.full((1,), float(self.calls)), None)


def volume(value: float) -> np.ndarray:
    return np.full((2, 3, 4), value, dtype=np.float32)


def test_equal_content_is_encoded_once() -> None:
    cache, encoder = CodeCache(), Encoder()
    first = cache.get(volume(1), encoder)
    assert cache.get(volume(1).copy(), encoder) is first
    assert cache.get(np.asfortranarray(volume(1)), encoder) is first
    assert encoder.calls == 1
    assert cache.get(volume(2), encoder) is not first
    assert encoder.calls == 2


def test_the_least_recently_used_is_forgotten_first() -> None:
    cache, encoder = CodeCache(capacity=2), Encoder()
    for value in (1, 2, 1, 3):
        cache.get(volume(value), encoder)
        assert len(cache) <= 2
    assert encoder.calls == 3
    cache.get(volume(1), encoder)
    assert encoder.calls == 3
    cache.get(volume(2), encoder)
    assert encoder.calls == 4


def test_after_clear_everything_is_encoded_anew() -> None:
    cache, encoder = CodeCache(), Encoder()
    cache.get(volume(1), encoder)
    cache.clear()
    assert len(cache) == 0
    cache.get(volume(1), encoder)
    assert encoder.calls == 2


def test_the_key_follows_voxels_and_shape() -> None:
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    key = content_key(voxels)
    assert key == content_key(voxels.copy())
    assert key != content_key(voxels.reshape(4, 3, 2))
    changed = voxels.copy()
    changed[1, 2, 3] = np.nextafter(changed[1, 2, 3], np.float32(99))
    assert key != content_key(changed)


def test_several_threads_share_one_cache() -> None:
    cache = CodeCache(capacity=3)

    def encode(value: int) -> float:
        return cache.get(volume(value), lambda: EncodedVolume(torch.tensor([float(value)]), None)).code.item()

    values = [number % 7 for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(encode, values)) == values
    assert len(cache) == 3
