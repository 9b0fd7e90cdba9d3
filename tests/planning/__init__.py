"""Services, page and papers around the plan room, on hand-built plans."""
