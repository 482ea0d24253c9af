"""How many planted mistakes `review` finds: mistakes are planted into the labels of data sets, then looked for."""
