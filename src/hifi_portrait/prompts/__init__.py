"""What words mention: the person, hair, clothes and glasses; and which of them a picture shows already."""
