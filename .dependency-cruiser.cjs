// Holds the import table of ARCHITECTURE.md: which folder of src/ may import which (besides core and itself).
const mayImport = {
  core: [],
  contract: [],
  slide: [],
  engine: [],
  tissue: [],
  spatial: [],
  model: ['engine', 'spatial'],
  dataset: ['slide', 'spatial'],
  prediction: ['model', 'engine'],
  evaluation: ['spatial'],
  report: ['evaluation', 'spatial'],
  training: ['model', 'engine', 'dataset', 'evaluation'],
  experiment: [
    'contract',
    'slide',
    'engine',
    'tissue',
    'spatial',
    'model',
    'dataset',
    'prediction',
    'evaluation',
    'report',
    'training',
  ],
  cli: ['experiment', 'contract', 'server'],
  server: ['experiment', 'contract'],
};

const tableRules = Object.entries(mayImport).map(([folder, allowed]) => {
  const open = ['core', folder, ...allowed].join('|');
  return {
    name: `${folder}-imports`,
    severity: 'error',
    comment: `src/${folder} may import only: ${open}`,
    from: { path: `^src/${folder}/`, pathNot: '\\.test\\.ts$' },
    to: { path: '^src/', pathNot: `^src/(${open})/` },
  };
});

module.exports = {
  forbidden: [
    ...tableRules,
    {
      name: 'studio-imports',
      severity: 'error',
      comment: 'the browser app may import only contract and core of src/',
      from: { path: '^studio/' },
      to: { path: '^src/', pathNot: '^src/(contract|core)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphan-folder',
      severity: 'error',
      comment: 'every folder of src/ is in the table',
      from: { path: `^src/(?!(${Object.keys(mayImport).join('|')})/|index\\.ts)` },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
