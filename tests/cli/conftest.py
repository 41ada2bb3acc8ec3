from tests.tiny_bundle import tiny_bundle as tiny_bundle
