"""Face and voice open a shared fridge."""

__version__ = "0.1.0"
