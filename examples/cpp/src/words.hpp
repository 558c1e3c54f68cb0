// What a measurement came to, in words: plain messages, no node.

#pragma once

#include <cmath>
#include <sstream>
#include <string>

#include "rppg_ros/action/measure_vitals.hpp"
#include "rppg_ros/msg/heart_rate.hpp"
#include "rppg_ros/msg/measurement.hpp"
#include "rppg_ros/msg/respiration_rate.hpp"

namespace example {

/// One rate; a number only where its status is OK. Both rate messages have the same fields.
template <typename RateMessage>
std::string told(const RateMessage& rate, const std::string& name, const std::string& unit) {
  std::ostringstream out;
  out << name << ' ';
  if (rate.status != RateMessage::STATUS_OK || std::isnan(rate.value)) {
    out << "not known (status " << static_cast<int>(rate.status) << ", " << rate.reasons.size() << " reasons)";
  } else {
    out << std::round(rate.value) << ' ' << unit << " (" << std::round(rate.low) << " to " << std::round(rate.high) << ')';
  }
  return out.str();
}

/// A whole measurement.
inline std::string told(const rppg_ros::msg::Measurement& found) {
  return told(found.heart_rate, "heart rate", "beats/min") + "; " +
         told(found.respiration_rate, "respiration rate", "breaths/min") + "\n" + found.message;
}

/// A goal: one person, the heart rate alone or all that can be measured.
inline rppg_ros::action::MeasureVitals::Goal goal(float seconds, bool heart_only) {
  rppg_ros::action::MeasureVitals::Goal out;
  out.seconds = seconds;
  out.vitals = heart_only ? rppg_ros::action::MeasureVitals::Goal::HEART_RATE : 0;
  return out;
}

}  // namespace example
