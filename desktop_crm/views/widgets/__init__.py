"""Small widgets that every pane and dialog is made of."""
