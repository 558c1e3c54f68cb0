// Measures one person once, by the action measure_vitals; a plain client, to copy from.
//
//   ros2 run rppg_ros_cpp_example measure_once [SECONDS]
//
// Ends with 0 where every rate has a number, 1 where one has none, 2 where nobody answers.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "rclcpp/rclcpp.hpp"
#include "rclcpp_action/rclcpp_action.hpp"

#include "words.hpp"

using Measure = rppg_ros::action::MeasureVitals;
using GoalHandle = rclcpp_action::ClientGoalHandle<Measure>;

int main(int argc, char** argv) {
  const auto given = rclcpp::init_and_remove_ros_arguments(argc, argv);
  const float seconds = given.size() > 1 ? std::strtof(given[1].c_str(), nullptr) : 60.0F;
  const auto node = std::make_shared<rclcpp::Node>("measure_once");
  const auto client = rclcpp_action::create_client<Measure>(node, "measure_vitals");
  if (!client->wait_for_action_server(std::chrono::seconds(10))) {
    std::cerr << "no measure_vitals within 10 s: is vitals up and configured?\n";
    return 2;
  }
  rclcpp_action::Client<Measure>::SendGoalOptions options;
  options.feedback_callback = [](GoalHandle::SharedPtr, const std::shared_ptr<const Measure::Feedback> so_far) {
    std::cout << static_cast<int>(100 * so_far->progress) << " %  " << example::told(so_far->heart_rate, "heart", "")
              << "  " << so_far->advice << std::endl;
  };
  auto sent = client->async_send_goal(example::goal(seconds, false), options);
  if (rclcpp::spin_until_future_complete(node, sent) != rclcpp::FutureReturnCode::SUCCESS || !sent.get()) {
    std::cerr << "the measurement was refused\n";
    return 2;
  }
  auto done = client->async_get_result(sent.get());
  if (rclcpp::spin_until_future_complete(node, done) != rclcpp::FutureReturnCode::SUCCESS) {
    return 2;
  }
  const auto& found = done.get().result->measurement;
  std::cout << example::told(found) << std::endl;
  rclcpp::shutdown();
  return found.complete ? 0 : 1;
}
