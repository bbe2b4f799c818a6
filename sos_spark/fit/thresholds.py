"""The lines that inference draws, once: what counts as a change, and where a method no longer holds."""

ALPHA = 0.05
"""The level of every test and, as its complement, of every interval."""

FEW_TREATED = 4
"""With so many treated LAs or fewer the wild cluster bootstrap rejects next to nothing: permutations take its place."""

CAUTION_TREATED = 5
"""With so many treated LAs or fewer a result carries a caution."""

FEW_DF = 5.0
"""With fewer Satterthwaite degrees of freedom a result carries a caution."""
