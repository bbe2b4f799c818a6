"""What people read: the report, section by section, with its figures and tables.

`results` holds what a run left; `sections` has one module for each section that a reader sees, `blocks` what a section
is made of, and `page` renders them; `figures` holds what figures are drawn with, `words` names, numbers and sentences.
"""
