"""quality.html: what is known of the returns themselves, whatever a study asks. Collapsed counts in, blocks out."""
