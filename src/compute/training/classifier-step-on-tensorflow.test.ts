import { describeOnTensorflow } from '../engines/compiled/testing/on-tensorflow.ts'
import { storedTrainingTests } from './testing/stored-training.ts'

describeOnTensorflow('training steps captured as a graph', storedTrainingTests)
