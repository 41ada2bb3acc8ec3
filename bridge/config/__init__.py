"""What a site tells its bridge: one TOML file, read into frozen values that were checked."""

from bridge.config.document import BridgeConfig
from bridge.config.reading import read_config

__all__ = ["BridgeConfig", "read_config"]
