"""What people read: tables, figures, and the page that holds them.

`folder.Results.load` reads a results folder and gives a `view.ClaimView` for each row; tables, CSV,
LaTeX and the page are made of these and decide nothing. `writing.write_results` alone writes.
"""
