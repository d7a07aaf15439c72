/** The choices of the way down, with their names, help and sources. */
export const RULE_FIELDS = [
  {
    key: 'relu',
    label: 'ReLU rule',
    help: 'How a rectifier carries the signal down: by what comes from above (deconvnet), by its own activation (gradient), or by both (guided).',
    reference: 'Zeiler & Fergus 2013, section 2.1; Springenberg et al. 2014, section 3.4',
    options: [
      { value: 'deconvnet', label: 'Deconvnet' },
      { value: 'gradient', label: 'Gradient' },
      { value: 'guided', label: 'Guided' },
    ],
  },
  {
    key: 'unpool',
    label: 'Unpooling',
    help: 'What a place gets that several pooling windows chose as their maximum: the sum, the last value, or the largest.',
    reference: 'Zeiler & Fergus 2013, section 2.1 (switches)',
    options: [
      { value: 'sum', label: 'Sum' },
      { value: 'overwrite', label: 'Overwrite' },
      { value: 'max', label: 'Maximum' },
    ],
  },
  {
    key: 'lrn',
    label: 'LRN',
    help: 'Local response normalisation on the way down: passed through, or its exact derivative. Without effect in networks that have none.',
    reference: 'Krizhevsky et al. 2012, section 3.3',
    options: [
      { value: 'identity', label: 'Identity' },
      { value: 'derivative', label: 'Derivative' },
    ],
  },
  {
    key: 'seed',
    label: 'Seed',
    help: 'What starts the walk down: the unit’s own activation, a one at the unit, the whole feature map, or the map’s largest activation.',
    reference: 'Zeiler & Fergus 2013, section 2.1 (single activation)',
    options: [
      { value: 'single', label: 'Activation' },
      { value: 'one-hot', label: 'One-hot' },
      { value: 'map', label: 'Whole map' },
      { value: 'map-maximum', label: 'Map maximum' },
    ],
  },
] as const

/** Published combinations of the choices above. */
export const RULE_PRESETS = [
  {
    id: 'paper',
    label: 'Paper',
    help: 'One activation with its own value, rectified signals, normalisation passed through.',
    reference: 'Zeiler & Fergus 2013, section 2.1',
    rules: { relu: 'deconvnet', unpool: 'sum', lrn: 'identity', seed: 'single' },
  },
  {
    id: 'dvt',
    label: 'DVT',
    help: 'As the Deep Visualization Toolbox shows it: the whole map goes down, normalisation by its derivative, shared switches add up.',
    reference: 'Yosinski et al. 2015, Deep Visualization Toolbox',
    rules: { relu: 'deconvnet', unpool: 'sum', lrn: 'derivative', seed: 'map' },
  },
] as const
