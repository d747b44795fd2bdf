"""Damage statistics from scanning electron microscope panoramas of dual-phase steel.

The packages follow the stages a pixel passes: `images`, `simulation`, `denoising`, `detection`,
`networks`, `classification`, `statistics`, `figures`. A stage may import `config`, `contracts` and
`images`, and never a later stage. Nothing here knows of the workflow engine.
"""


class InputError(ValueError):
    """Something the user gave cannot be used; the message says what, where, and what to do."""
