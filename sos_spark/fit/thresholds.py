"""The lines that inference draws, once: what counts as a change, and where a method no longer holds."""

ALPHA = 0.05
"""The level of every test and, as its complement, of every interval."""

FEW_TREATED = 4
"""With so many treated LAs or fewer the wild cluster bootstrap rejects next to nothing: permutations take its place."""

CAUTION_TREATED = 5
"""With so many treated LAs or fewer a result carries a caution."""

FEW_DF = 5.0
"""With fewer Satterthwaite degrees of freedom a result carries a caution."""

DOMINATED = 0.7
"""Where one of many pilots has a larger share of the pilots' weight no test of all of them is printed.

With 9 pilots of 60 the headline rule rejects 4.0 % of true nulls at a share of 60 %, 5.3 % at 70 %, and 14.5 % where
one pilot has 35 % of all rows, which is 80 % of the pilots' (`tools.monte_carlo.dominant`).
"""

UNEVEN = 0.6
"""From this share of one pilot on p_ri is not printed: it rejects 13.8 % there, and 6.8 % at 35 %."""

UNSTEADY = 1.5
"""Where few pilots' scatter from period to period is more than so many times the comparators' (a ratio of standard
deviations), no p_ri is printed: permuted go-lives take for granted that it is alike (`tools.monte_carlo.unsteady`)."""

UNLIKE = 1.2
"""Where pilots, few or many, scatter more than so many times as much, no test is printed that takes scatter as alike.

Draws of pseudo-pilots for synthetic comparators reject 23 to 29 % of true nulls where pilots' shocks are doubled, and
the t test of changes under equal variances as many.
"""

FEW_WELCH = 3
"""With so many treated LAs or fewer Welch's t has no p: it rejects 12.7 % of true nulls with 2, 6.9 % with 3."""
