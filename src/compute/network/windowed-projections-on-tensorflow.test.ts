import { describeOnTensorflow } from '../engines/compiled/testing/on-tensorflow.ts'
import { ALL_RULES, checkWindowedProjections } from './testing/windowed-checks.ts'

describeOnTensorflow('windowed projections captured as graphs', (engine) => checkWindowedProjections(engine, ALL_RULES))
