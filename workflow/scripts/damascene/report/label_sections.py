"""Sections of the report about labels, and about the networks that learned from them."""

from damascene.report.kinds import Drawn, Section, Shown

LABELS = Section(
    key="labels",
    title="Labels",
    items=(
        Drawn(
            name="label_effect",
            title="What the newest labels changed",
            caption="label_effect",
            notes="statistics/label_effect.txt",
        ),
        Shown(
            path="statistics/label_effect.tsv",
            title="What the newest labels changed, in numbers",
            caption="label_effect_table",
        ),
        Shown(
            path="labels/contradictions.tsv",
            title="Sites on which people contradict each other",
            caption="contradictions",
            columns=(
                *("panorama", "site_id", "x_px", "y_px", "annotators", "answers", "label"),
                "decided",
            ),
            rows_only=True,
        ),
        Shown(
            path="labels/orphans.tsv",
            title="Answers that belong to no site",
            caption="orphans",
            rows_only=True,
        ),
    ),
)

EVALUATION = Section(
    key="evaluation",
    title="Evaluation",
    items=(
        Drawn(
            name="confusion_held_out",
            title="Predicted and given classes",
            caption="confusion_held_out",
        ),
        Shown(
            path="evaluation/scores.tsv",
            title="Scores on labels that were not learned from",
            caption="scores",
        ),
        Drawn(name="calibration", title="Calibration and prediction sets", caption="calibration"),
        Shown(
            path="evaluation/prediction_sets.tsv",
            title="Prediction sets",
            caption="prediction_sets",
        ),
        Drawn(name="training", title="Training", caption="training"),
        Drawn(
            name="confusion_truth",
            title="Predicted and true classes",
            caption="confusion_truth",
        ),
        Shown(
            path="evaluation/truth_scores.tsv",
            title="Scores against the truth of the simulation",
            caption="truth_scores",
        ),
        Drawn(name="detection_truth", title="Detection", caption="detection_truth"),
        Shown(
            path="evaluation/truth_control.tsv",
            title="Errors that change the number of inclusions",
            caption="truth_control",
        ),
        Drawn(name="curves", title="ROC curves", caption="curves", analysis="evaluation"),
        Drawn(
            name="annotators",
            title="Annotators beside the networks",
            caption="annotators",
            analysis="evaluation",
        ),
        Drawn(
            name="learning_curve",
            title="Scores against labels",
            caption="learning_curve",
            analysis="evaluation",
        ),
        Drawn(
            name="class_learning",
            title="Labels of which class would help",
            caption="class_learning",
            analysis="evaluation",
        ),
        Drawn(name="mistakes", title="Worst mistakes", caption="mistakes", analysis="evaluation"),
        Drawn(
            name="classifiers",
            title="Other classifiers",
            caption="classifiers",
            analysis="classifiers",
        ),
        Drawn(
            name="nested_selection",
            title="Settings chosen without each fold",
            caption="nested_selection",
            analysis="nested_selection",
        ),
        Drawn(
            name="load_direction",
            title="Other directions of load",
            caption="load_direction",
            analysis="load_direction",
        ),
        Drawn(
            name="embedding",
            title="Map of all sites",
            caption="embedding",
            analysis="explanation",
        ),
        Drawn(
            name="segmentation",
            title="Methods that map phases",
            caption="segmentation",
            analysis="compare_segmentation",
        ),
    ),
)
