"""Works that a study cites, as BibTeX."""

from damascene.report.facts import Study

_ENTRIES = {
    "kusche2019": """@article{kusche2019,
  author  = {Kusche, Carl and Reclik, Tom and Freund, Martina and
             Al-Samman, Talal and Kerzel, Ulrich and
             Korte-Kerzel, Sandra},
  title   = {Large-area, high-resolution characterisation and classification
             of damage mechanisms in dual-phase steel using deep learning},
  journal = {PLoS ONE}, volume = {14}, number = {5}, pages = {e0216493}, year = {2019},
  doi     = {10.1371/journal.pone.0216493}
}""",
    "moelder2021": """@article{moelder2021,
  author  = {M{\\"o}lder, Felix and others},
  title   = {Sustainable data analysis with Snakemake},
  journal = {F1000Research}, volume = {10}, pages = {33}, year = {2021},
  doi     = {10.12688/f1000research.29032.2}
}""",
    "garwood1936": """@article{garwood1936,
  author  = {Garwood, F.},
  title   = {Fiducial limits for the {Poisson} distribution},
  journal = {Biometrika}, volume = {28}, pages = {437--442}, year = {1936},
  doi     = {10.1093/biomet/28.3-4.437}
}""",
    "tan2019": """@misc{tan2019,
  author = {Tan, Mingxing and Le, Quoc V.},
  title  = {{EfficientNet}: Rethinking model scaling for convolutional neural networks},
  year   = {2019}, eprint = {1905.11946}, archivePrefix = {arXiv},
  doi    = {10.48550/arXiv.1905.11946}
}""",
    "medghalchi2024": """@misc{medghalchi2024,
  author = {Medghalchi, Setareh and others},
  title  = {Automated segmentation of large image datasets},
  year   = {2024}, eprint = {2401.01147}, archivePrefix = {arXiv},
  doi    = {10.48550/arXiv.2401.01147}
}""",
}


def bibtex(study: Study) -> str:
    """Return the entries of the works whose methods this study used."""
    keys = ["moelder2021"]
    if study.classifies:
        keys = ["kusche2019", "garwood1936", *keys]
    if any("lite0" in card.network for card in study.cards.values()):
        keys.append("tan2019")
    if study.phases:
        keys.append("medghalchi2024")
    return "\n\n".join(_ENTRIES[key] for key in keys) + "\n"
