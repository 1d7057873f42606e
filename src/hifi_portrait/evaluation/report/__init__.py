"""Tables, charts, sheets and the report of an evaluation."""
