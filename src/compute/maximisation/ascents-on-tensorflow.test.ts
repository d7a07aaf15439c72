import { describeOnTensorflow } from '../engines/compiled/testing/on-tensorflow.ts'
import { checkAscents, LAYERS, REGULARISERS } from './testing/ascent-checks.ts'

describeOnTensorflow('ascents captured as graphs', (engine) =>
  checkAscents(engine, Object.keys(REGULARISERS) as (keyof typeof REGULARISERS)[], LAYERS),
)
