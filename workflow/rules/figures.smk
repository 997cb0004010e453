
FIGURES = []
