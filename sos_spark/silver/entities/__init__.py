"""One file per entity, named after its silver table, and beside it the entity's row rules."""
