/** The logo of an app: two white bars on a blue disc, with transparent corners; 64 pixels. */
export const LOGO = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAACqaXHeAAABy0lEQVR42u2bu42EMBCGkUtA18W2QegKTtqQFhzSAuGGXD1uY1sgRPL5pEHiECtetpnBP9Kf' +
    'oF3MfPg5j+Lr+6fIWSkbU14PL+1VexmvhmTonqbfqDsAUGRQ62W9Bi+3UQP9p6VnKEkAKq/Oq99h8Jp6embFGcCTvpqLLEttsQGgExm+BEJfCaCkbukuVkfv' +
    'khTAH/k3A+NHvY/2hiPGG0aGz2ViA2gZGz+qjQXgJcD4Ua/QAFpBxu/qCdLH/Ok5Ycts74RLHwVQMlvqziyR5REA3Q2Mn26WdgE43PXXLm5D4RMAe0MAdiuA' +
    '55mGGANwS6fIoF9fAAC7BqA62whzAG7uVAk+8wsA0H0CoEK4sQQA6Kc+xuC7PgEA/i2JwQ88ZwEkAtguAbAZAbBzAGqn3146gGGcB0YAj1DjSwgARzYXwY+9' +
    'ggDoKYA6QwD1FIDJEICZAmgyBNAAAIYAJkEsg9gIYSuMwxCOw6wcIokAaLYusQQAPrrEWDhFEwDoWLvFEwCoWAdGIgNYDYxcHhqLDGBTaOzS4GhEAJuDo5eG' +
    'xyMC2BUezz5BAikySJJCmhwSJZEqi2RppMujYAIlMyiaQtkcCidROovi6RvrF4iTotIQ4Rc1AAAAAElFTkSuQmCC',
  'base64',
);
