"""The report: one page of HTML with figures and tables, and the data beside it."""
