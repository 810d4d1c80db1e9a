"""One module per verb: options in, one core call, one result out."""
