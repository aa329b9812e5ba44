"""What people read: tables, figures, and the page that holds them."""
