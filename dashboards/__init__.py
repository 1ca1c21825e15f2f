"""What people see: pages, figures, sentences and the access to them."""
