"""Works that a study cites, as BibTeX."""

import re

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
    "ronneberger2015": """@inproceedings{ronneberger2015,
  author    = {Ronneberger, Olaf and Fischer, Philipp and Brox, Thomas},
  title     = {{U-Net}: Convolutional networks for biomedical image segmentation},
  booktitle = {Medical Image Computing and Computer-Assisted Intervention},
  pages     = {234--241}, year = {2015},
  doi       = {10.1007/978-3-319-24574-4_28}
}""",
    "efron1981": """@article{efron1981,
  author  = {Efron, B. and Stein, C.},
  title   = {The jackknife estimate of variance},
  journal = {The Annals of Statistics}, volume = {9}, number = {3}, pages = {586--596},
  year    = {1981},
  doi     = {10.1214/aos/1176345462}
}""",
    "underwood1970": """@book{underwood1970,
  author    = {Underwood, Ervin E.},
  title     = {Quantitative Stereology},
  publisher = {Addison-Wesley}, year = {1970}
}""",
    "rezakhaniha2012": """@article{rezakhaniha2012,
  author  = {Rezakhaniha, R. and others},
  title   = {Experimental investigation of collagen waviness and orientation in the arterial
             adventitia using confocal laser scanning microscopy},
  journal = {Biomechanics and Modeling in Mechanobiology}, volume = {11}, pages = {461--473},
  year    = {2012},
  doi     = {10.1007/s10237-011-0325-z}
}""",
    "astm1268": """@misc{astm1268,
  author = {{ASTM International}},
  title  = {{ASTM E1268}: Standard practice for assessing the degree of banding or orientation
            of microstructures},
  year   = {2019},
  doi    = {10.1520/E1268-19}
}""",
    "bella2010": """@inproceedings{bella2010,
  author    = {Bella, Antonio and Ferri, C{\\`e}sar and Hern{\\'a}ndez-Orallo, Jos{\\'e} and
               Ram{\\'i}rez-Quintana, Mar{\\'i}a Jos{\\'e}},
  title     = {Quantification via probability estimators},
  booktitle = {IEEE International Conference on Data Mining}, pages = {737--742},
  year      = {2010},
  doi       = {10.1109/ICDM.2010.75}
}""",
    "guo2017": """@misc{guo2017,
  author = {Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q.},
  title  = {On calibration of modern neural networks},
  year   = {2017}, eprint = {1706.04599}, archivePrefix = {arXiv},
  doi    = {10.48550/arXiv.1706.04599}
}""",
}


#: What the methods say of a work that has neither DOI nor number of arXiv.
_BY_NAME = {"underwood1970": "Underwood"}
_PLACE = re.compile(r"(?:doi|eprint) *= \{([^}]+)\}")


def is_cited(key: str, text: str) -> bool:
    """Tell whether a text cites a work, by its DOI, its number at arXiv or its author."""
    places = _PLACE.findall(_ENTRIES[key])
    name = _BY_NAME.get(key)
    return any(place in text for place in places) or (name is not None and name in text)


def bibtex(study: Study) -> str:
    """Return the entries of the works whose methods this study used."""
    keys = ["moelder2021"]
    if study.classifies:
        keys = ["kusche2019", "garwood1936", *keys]
    if any("lite0" in card.network for card in study.cards.values()):
        keys.append("tan2019")
    if study.phases:
        keys.append("medghalchi2024")
    methods = study.text("statistics/methods.rst")
    keys += [key for key in _ENTRIES if key not in keys and is_cited(key, methods)]
    return "\n\n".join(_ENTRIES[key] for key in keys) + "\n"
