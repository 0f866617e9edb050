// The plain functions of Beast, compiled once.
#include <boost/beast/src.hpp>
