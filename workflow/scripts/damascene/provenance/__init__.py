"""What made a result: the code of the library that a rule reaches."""

from damascene.provenance.fingerprint import library_fingerprint

__all__ = ["library_fingerprint"]
