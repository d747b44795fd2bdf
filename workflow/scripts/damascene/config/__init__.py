"""Every key of the configuration, a module a section; `study` holds them all.

The models are the single source of truth: `config/config.yaml`, the presets, the JSON Schema for
editors and the table in `config/README.md` are written from them (`written_files`).
"""
