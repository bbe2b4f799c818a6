"""What a fit starts from: checked cells, arms, covariates and the panel made of them."""
