// Stands in for TensorFlow's header of the same name: everything that the binding uses is declared in one place.
#pragma once
#include "tensorflow-c-api.h"
