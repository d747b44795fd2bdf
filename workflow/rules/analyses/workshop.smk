"""Workshop: the concepts of micrograph analysis, page by page, on an image of one's own.

In:  notebooks/*.py.ipynb, a cut of a working image or of a picture of the user; for some pages the products
     of the study.
Out: workshop/index.html, which opens from disk, with a page for each notebook; workshop/numbers/{page}.tsv.
Why: who sees every step at work, in the code that counts, knows what a count is worth.

Not part of the default target: run `snakemake workshop`.
"""

from damascene.workshop.pages import KERNELS, book_sources, page_names

# Notebooks are run by this Python, whether or not its environment is active; no bar for each cell.
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH", "")]),
    JUPYTER_PATH=os.pathsep.join([str(KERNELS), os.getenv("JUPYTER_PATH", "")]),
    TQDM_DISABLE=os.getenv("TQDM_DISABLE", "1"),
)


rule workshop:
    """Make the book of the workshop."""
    input:
        "results/workshop/index.html",
    localrule: True


rule cut_workshop_image:
    """Cut the piece that all pages look at out of a panorama or of the user's picture."""
    input:
        image=workshop_image,
    output:
        cut="results/workshop/cut.npz",
    log:
        "results/logs/cut_workshop_image.log",
    benchmark:
        "results/benchmarks/cut_workshop_image.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("cut_workshop_image"),
    params:
        picture=bool(STUDY.workshop.image),
        edge_px=STUDY.workshop.cut,
        place=STUDY.workshop.place,
        pixel_size=STUDY.workshop.image_pixel_size,
        origin=workshop_origin(),
        library=library("cut_workshop_image"),
    script:
        "../../scripts/cut_workshop_image.py"


rule run_workshop_page:
    """Execute the notebook of a page."""
    input:
        unpack(workshop_page_files),
        cut="results/workshop/cut.npz",
    output:
        numbers="results/workshop/numbers/{page}.tsv",
        # Pictures and text may change where no number does: the book asks when a page was executed.
        executed="results/workshop/numbers/{page}.executed.txt",
    log:
        notebook="results/workshop/notebooks/{page}.ipynb",
    benchmark:
        "results/benchmarks/run_workshop_page/{page}.tsv"
    wildcard_constraints:
        page="|".join(page_names()),
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("run_workshop_page"),
    params:
        study=lambda wildcards: STUDY.model_dump_json(),
        seed=seed("workshop"),
        origin=workshop_origin(),
        text=lambda wildcards: content(NOTEBOOKS / f"{wildcards.page}.py.ipynb"),
        library=workshop_library,
    notebook:
        "../../notebooks/{wildcards.page}.py.ipynb"


rule write_workshop:
    """Lay the executed notebooks out as a book."""
    input:
        numbers=expand("results/workshop/numbers/{page}.tsv", page=page_names()),
        executed=expand("results/workshop/numbers/{page}.executed.txt", page=page_names()),
    output:
        index="results/workshop/index.html",
        pages=expand("results/workshop/{page}.html", page=[*page_names(), "glossary", "topics"]),
    log:
        "results/logs/write_workshop.log",
    benchmark:
        "results/benchmarks/write_workshop.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_workshop"),
    params:
        notebooks=expand("results/workshop/notebooks/{page}.ipynb", page=page_names()),
        pages=page_names(),
        study=STUDY.study,
        origin=workshop_origin(),
        sources=content(*book_sources()),
        library=library("write_workshop"),
    script:
        "../../scripts/write_workshop.py"
