"""What a finding hangs on: drift before go-live, specifications, placebos, unknown values."""
