"""A regression of individual rows from its clusters' cross-products, and its covariances."""
