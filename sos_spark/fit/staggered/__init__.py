"""Several go-live dates: group-time effects, imputation, Sun and Abraham, and what two-way effects average."""
