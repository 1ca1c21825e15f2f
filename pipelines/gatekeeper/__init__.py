"""Who may read which page: sign-in, one policy, the published pages as they leave the server, and a record of it all."""
