import { describeOnTensorflow } from '../engines/compiled/testing/on-tensorflow.ts'
import { storedResidualTests } from './testing/stored-residual.ts'
import { storedTrainingTests } from './testing/stored-training.ts'

describeOnTensorflow('training steps captured as a graph', (engineOf) => {
  storedTrainingTests(engineOf)
  storedResidualTests(engineOf)
})
