"""What people read: figures, the report, tables.

`results` holds what a run left; `page` draws its figures and renders its page; `flow` and `quality` make its tables;
`house` is the style of every figure, `wording` of every name and number, `guarded` of every CSV that people open.
"""
